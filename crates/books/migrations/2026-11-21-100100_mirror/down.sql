DROP TABLE version;
DROP TABLE object;
DROP TABLE mirror;
