-- Whether the text can be a reaction: '' removes one; otherwise up to 16 code points (the longest
-- emoji, families with skin tones and flags of regions, have fewer) without white space, control
-- or ASCII letters, and one of them outside ASCII. That it is a single emoji is not checked.
create function outbox.is_emoji(p_text text) returns boolean language sql immutable parallel safe as $$
  select p_text collate "C" ~ '^([^\u0001-\u0022\u0024-\u0029\u002b-\u002f\u003a-\u00a0\u2000-\u200c\u2028\u2029\u3000]{1,16})?$'
      and (p_text = '' or p_text collate "C" ~ '[^\u0001-\u00a0]')
$$;
