"""How far generated events are from the reference: critics, certificates, two-sample tests."""
