"""What goes over the wire: one strict schema for each request and answer, each with an example."""
