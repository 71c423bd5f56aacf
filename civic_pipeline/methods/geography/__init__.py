"""Areas of a city, how they overlap, and rates of small areas."""
