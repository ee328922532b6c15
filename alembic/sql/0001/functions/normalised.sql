-- An error without what makes each one its own: ids and numbers become #, but for those of three digits, which are
-- WhatsApp's and HTTP's codes.
create function audit.normalised(error text) returns text language sql immutable parallel safe as $$
  select regexp_replace(
    regexp_replace(error, '\y[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\y', '#', 'g'),
    '\y(?![0-9]{3}\y)(?=[0-9a-fA-F]*[0-9])[0-9a-fA-F]+\y', '#', 'g')
$$;

comment on function audit.normalised is 'An error without the ids and numbers that make each one its own.';
