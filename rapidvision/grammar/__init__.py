"""What a protocol file may say: rules between its fields, what each runner cannot do, and the schema for editors."""
