DROP VIEW "@owed";
DROP VIEW "@log";
DROP VIEW "@handoffs";
DROP TABLE "@cursor";
DROP TABLE "@change";
DROP TABLE "@entry";
DROP TABLE "@key";
DROP TABLE "@record";
