"""The pages people read about the API, made from its OpenAPI document."""
