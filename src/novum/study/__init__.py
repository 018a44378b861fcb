"""A study through its phases: begin, conduct, resume, replay."""
