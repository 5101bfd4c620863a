-- One database for each service. Runs once, when the volume of the server is empty.
CREATE DATABASE registry;
CREATE DATABASE notifications;
CREATE DATABASE portal;
