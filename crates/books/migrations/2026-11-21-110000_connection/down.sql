DROP TABLE access_token;
DROP TABLE connection;
DROP TABLE portfolio;
