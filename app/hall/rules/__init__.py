"""The pure rules of the hall: days worked, doors open, limits that run, lights that change."""
