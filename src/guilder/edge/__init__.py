"""How we speak HTTP: callers, endpoints, bodies, problems, and the documents made from them."""
