"""The commands: parse the line, call the library, print."""
