"""The providers of embeddings, a module each, which declares PROVIDER. `embeddings.registry` collects them."""
