"""How far the generated tests of learning are from their bounds, from many seeds."""
