"""What tests and docs ask of the package itself."""
