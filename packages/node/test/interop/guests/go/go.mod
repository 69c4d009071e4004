module w3bstream.test/golog

go 1.24
