DROP TABLE sync_run;
