"""Events in and out: what an event is, file formats, invertible transforms, simulators with known truth."""
