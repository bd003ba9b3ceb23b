DROP TABLE inbox_sweep;
DROP TABLE inbox_hint;
DROP TABLE inbox_message;
