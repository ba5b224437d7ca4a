/*
 * Outputs of HAProxy 2.6.12 (Debian 12), taken over its socket after `agent down` for n2 and
 * `weight 33%` for n1; of `show info` some lines are left out.
 */
#pragma once

/* show info */
static const char info_2_6[] = "Name: HAProxy\n"
			       "Version: 2.6.12-1+deb12u4\n"
			       "Release_date: 2026/10/17\n"
			       "Nbthread: 2\n"
			       "Pid: 2602\n"
			       "Uptime: 0d 0h00m00s\n"
			       "Uptime_sec: 0\n"
			       "Ulimit-n: 19999\n"
			       "node: lb1\n"
			       "Stopping: 0\n"
			       "Unstoppable Jobs: 0\n"
			       "Build info: 2.6.12-1+deb12u4\n"
			       "Start_time_sec: 1795365830\n"
			       "Tainted: 0\n"
			       "\n";

/* show servers state bk_redis_master */
static const char state_2_6[] =
	"1\n"
	"# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight sr"
	"v_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_hea"
	"lth srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port"
	" srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n"
	"2 bk_redis_master 1 n1 127.0.0.1 0 0 33 100 1 8 2 0 6 22 0 0 - 6379 - 0 0 - 127.0.0."
	"1 9\n"
	"2 bk_redis_master 2 n2 127.0.0.1 0 0 50 50 0 1 0 2 0 22 0 0 - 6380 - 0 0 - 127.0.0.1"
	" 9\n"
	"2 bk_redis_master 3 n3 ::1 2 0 1 1 1 1 0 2 0 0 0 0 - 6381 - 0 0 - - 0\n"
	"2 bk_redis_master 4 n4 127.0.0.1 0 5 1 1 1 1 0 0 8 22 0 0 - 6382 - 0 0 - 127.0.0.1 9\n"
	"2 bk_redis_master 5 n5 - 2 0 1 1 1 1 0 2 0 0 0 0 - 0 - 0 0 - - 0\n"
	"\n";

/* show stat bk_redis_master 4 -1 */
static const char stat_2_6[] =
	"# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wr"
	"etr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid"
	",throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_du"
	"ration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req"
	"_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last"
	"_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_d"
	"esc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health"
	",addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,c"
	"onnect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_ma"
	"x,ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg"
	"_server_status,agg_server_check_status,agg_check_status,-,ssl_sess,ssl_reused_sess,s"
	"sl_failed_handshake,h2_headers_rcvd,h2_data_rcvd,h2_settings_rcvd,h2_rst_stream_rcvd"
	",h2_goaway_rcvd,h2_detected_conn_protocol_errors,h2_detected_strm_protocol_errors,h2"
	"_rst_stream_resp,h2_goaway_resp,h2_open_connections,h2_backend_open_streams,h2_total"
	"_connections,h2_backend_total_streams,h1_open_connections,h1_open_streams,h1_total_c"
	"onnections,h1_total_streams,h1_bytes_in,h1_bytes_out,h1_spliced_bytes_in,h1_spliced_"
	"bytes_out,\n"
	"bk_redis_master,n1,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN,33,1,0,1,1,1,1,,1,2,1,,0,,2,0,,0,"
	"L4CON,,0,,,,,,,,,,,0,0,,,,,-1,Connection refused at step 1 of tcp-check (connect),,0"
	",0,0,0,INI,,0,Layer4 connection problem,Initializing,2,3,0,1,1,1,127.0.0.1:6379,,tcp"
	",,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,1,33,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
	"bk_redis_master,n2,0,0,0,0,,0,0,0,,0,,0,0,0,0,DOWN (agent),50,1,0,,,0,,,1,2,2,,0,,2,"
	"0,,0,,,,,,,,,,,,,,0,0,,,,,-1,,,0,0,0,0,INI,,0,,Initializing,,,,1,1,0,127.0.0.1:6380,"
	",tcp,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,0,50,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
	"bk_redis_master,n3,0,0,0,0,,0,0,0,,0,,0,0,0,0,no check,1,1,0,,,1,,,1,2,3,,0,,2,0,,0,"
	",,,,,,,,,,,,,0,0,,,,,-1,,,0,0,0,0,,,,,,,,,,,,[::1]:6381,,tcp,,,,,,,,0,0,0,,,0,,0,0,0"
	",0,0,0,0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
	"bk_redis_master,n4,0,0,0,0,,0,0,0,,0,,0,0,0,0,MAINT,1,1,0,,,1,,,1,2,4,,0,,2,0,,0,,,,"
	",,,,,,,,,,0,0,,,,,-1,,,0,0,0,0,INI,,0,,Initializing,,,,1,1,1,127.0.0.1:6382,,tcp,,,,"
	",,,,0,0,0,,,0,,0,0,0,0,0,0,0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
	"bk_redis_master,n5,0,0,0,0,,0,0,0,,0,,0,0,0,0,no check,1,1,0,,,1,,,1,2,5,,0,,2,0,,0,"
	",,,,,,,,,,,,,0,0,,,,,-1,,,0,0,0,0,,,,,,,,,,,,unix,,tcp,,,,,,,,0,0,0,,,0,,0,0,0,0,0,0"
	",0,0,0,1,,,,-,0,0,0,,,,,,,,,,,,,,,,,,,,,,\n"
	"\n";
