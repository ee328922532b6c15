-- Whether the text holds nothing that can be seen: only white space, control characters, soft
-- hyphens, zero-width characters and marks of direction. The class is spelled out because what
-- \s means depends on the collation, and Python has to judge alike.
create function outbox.is_blank(p_text text) returns boolean language sql immutable parallel safe as $$
  select p_text collate "C" !~ ('[^\u0001-\u0020\u007f-\u00a0\u00ad\u1680\u180e\u2000-\u200f'
      '\u2028-\u202f\u205f-\u2064\u3000\ufeff]')
$$;
