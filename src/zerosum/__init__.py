"""zerosum."""
