-- doctor_server: what the server says of itself and of how it keeps what was committed.
select current_setting('server_version') as version, current_setting('server_version_num')::integer / 10000 as major,
       current_setting('fsync') as fsync, current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('session_replication_role') as replication_role
