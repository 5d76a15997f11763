"""Who sells: resellers, their merchants, and the merchants' stores."""
