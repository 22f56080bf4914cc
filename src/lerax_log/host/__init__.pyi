from .run_names import safe_name as safe_name
