"""What people look at: plots, the report page, the live page."""
