DROP TABLE evidence;
DROP TABLE chain;
