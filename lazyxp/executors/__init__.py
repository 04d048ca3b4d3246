"""How a plan runs: one executor a backend, resolved by name, by module or by the data itself."""
