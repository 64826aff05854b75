"""The console at /ui/admin: pages for administrators that act through the HTTP routes' own functions."""
