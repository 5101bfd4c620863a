-- One database a service; run once, when the server's own volume is empty.
CREATE DATABASE registry;
CREATE DATABASE notifications;
