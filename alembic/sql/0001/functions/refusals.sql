-- Every rule whose breach the outbox refuses: its SQLSTATE, the sentence that says so (%s is the value)
-- and the way out. A new rule is one more row here, and one in outbox/errors.py for Python.
--
-- The SQLSTATEs lie in the standard's classes, so that any driver maps them to the right kind of error:
-- 22 bad data, 23 a constraint, 40 try again, 42 no such thing, 55 not in this state.
create function outbox.refusals() returns table (rule text, sqlstate text, message text, hint text)
language sql immutable parallel safe rows 50 as $$
  values
  ('bad_recipient', '22O01', 'Not a recipient: %s',
   'Write the number in international form, a plus and 7 to 15 digits like +44 7700 900123, without "(0)"; or write a JID: digits@s.whatsapp.net (not @c.us), digits@lid, digits@g.us for a group, digits@newsletter or status@broadcast.'),

  ('body_not_object', '22O02', 'Not a content: %s',
   'Give a JSON object with a kind, like {"kind": "text", "text": "hello"}.'),
  ('unknown_kind', '22O02', 'Unknown kind of content: %s',
   'The kinds are text, image, video, audio, voice, document, sticker, album, location, contact, poll, reaction, edit and revoke.'),
  ('unknown_field', '22O02', 'Unknown field: %s',
   'Correct its name or leave it out; nothing is dropped silently.'),
  ('missing_field', '22O02', 'Missing field: %s',
   'Give every field that the kind needs.'),
  ('wrong_type', '22O02', 'Wrong type of field: %s',
   'Give the type that the field has, and leave out an optional field instead of setting it to null.'),
  ('nul_character', '22O02', 'NUL character in %s',
   'Remove the character U+0000: PostgreSQL cannot store it.'),
  ('unpaired_surrogate', '22O02', 'Half of a surrogate pair in %s',
   'Cut texts between characters: half of a UTF-16 surrogate pair is not a character.'),
  ('empty_text', '22O02', 'Nothing to be seen in %s',
   'Give at least one character that is neither white space nor invisible.'),
  ('bad_media_digest', '22O02', 'Not a digest of media: %s',
   'Store the bytes with outbox.store_media first and give what it returns: 64 lower-case hexadecimal digits.'),
  ('bad_filename', '22O02', 'Not a file name: %s',
   'Give 1 to 255 characters without slashes, backslashes and control characters, not only white space.'),
  ('bad_coordinates', '22O02', 'Not a place on Earth: %s',
   'Give a latitude from -90 to 90 and a longitude from -180 to 180, in degrees.'),
  ('bad_contact_number', '22O02', 'Not a number of a contact: %s',
   'Write the number in international form, a plus and 7 to 15 digits, like +44 7700 900123.'),
  ('bad_poll', '22O02', 'Not a poll: %s',
   'Give a question of 1 to 255 characters, 2 to 12 different options of 1 to 100 characters each, and a selectable from 0 (any number) to the number of options.'),
  ('bad_album', '22O02', 'Not an album: %s',
   'Give 2 to 30 items, each {"media": digest of an image or a video, "caption": text}, where caption may be left out.'),
  ('bad_emoji', '22O02', 'Not an emoji: %s',
   'React with one emoji, or with "" to remove the reaction.'),
  ('bad_reference', '22O02', 'Not a reference to a message: %s',
   'Refer to a message as {"notification": its id} or as {"message_id": WhatsApp''s id, "sender": JID of a user, "from_me": true or false}, where sender and from_me may be left out.'),
  ('bad_mention', '22O02', 'Not a user who can be mentioned: %s',
   'Mention at most 1024 people, each by a number like +44 7700 900123 or by digits@s.whatsapp.net or digits@lid.'),

  ('text_too_long', '22O03', 'Too long: %s', 'WhatsApp takes 65536 characters a message: send it in parts, or as a document.'),
  ('caption_too_long', '22O03', 'Too long: %s', 'WhatsApp takes 1024 characters of caption: send the rest as a text.'),
  ('name_too_long', '22O03', 'Too long: %s', 'A name and an address have at most 1024 characters.'),

  ('media_too_large', '22O04', 'Media too large: %s',
   'The limits are 16 MiB for image, video, audio and voice, 1 MiB for sticker, and 64 MiB for document and for an album as a whole: make it smaller, or send a link.'),

  ('unknown_media', '22O05', 'Media not stored: %s',
   'Store the bytes with outbox.store_media first; what was erased has to be stored again.'),
  ('media_mismatch', '22O05', 'Media does not fit the kind: %s',
   'An image or sticker needs image/*, a video video/*, an audio or voice audio/*, an album image/* or video/*; a document takes any type.'),
  ('needs_ffmpeg', '22O05', 'Needs ffmpeg to be converted, which the account''s worker does not have: %s',
   'Send a voice note as audio/ogg with Opus, or install ffmpeg where the worker runs.'),
  ('bad_mime', '22O05', 'Not a MIME type: %s', 'Give a type without parameters, like image/jpeg.'),
  ('empty_media', '22O05', 'Media without bytes: %s', 'Give the bytes of the file.'),

  ('unknown_option', '22O06', 'Unknown option: %s',
   'The options are idempotency_key, priority, send_at, expires_in, max_attempts, on_unknown, retry_after, retry_limit and metadata.'),
  ('bad_batch', '22O06', 'Not a batch: %s',
   'Give a JSON array of objects, each with a recipient, a content and options.'),
  ('bad_account', '22O06', 'Not a name of an account: %s',
   'Give 1 to 63 characters of a-z, 0-9, "_", "." and "-", the first a letter or a digit.'),
  ('bad_idempotency_key', '22O06', 'Not an idempotency key: %s', 'Give 1 to 255 characters.'),
  ('bad_priority', '22O06', 'Not a priority: %s', 'Give an integer from -32768 to 32767; higher goes first.'),
  ('bad_send_at', '22O06', 'Not a time to send at: %s', 'Give a timestamp with its time zone.'),
  ('bad_expires_in', '22O06', 'Not a time to expire in: %s', 'Give an interval like "2 hours".'),
  ('bad_max_attempts', '22O06', 'Not a number of attempts: %s', 'Give an integer from 1 to 1000.'),
  ('bad_on_unknown', '22O06', 'Not a policy for an unknown outcome: %s',
   'Give "resend" (at least once) or "hold" (at most once, for an operator).'),
  ('bad_retry', '22O06', 'Not delays of a retry: %s',
   'Give intervals of zero or more, with retry_limit not below retry_after.'),
  ('bad_metadata', '22O06', 'Not metadata: %s', 'Give a JSON object.'),
  ('personal_metadata', '22O06', 'The recipient''s number in metadata: %s',
   'The log keeps metadata for ever: name the recipient by an id of your own.'),

  ('expiry_in_past', '22O07', 'Expiry in the past: %s',
   'Give an expiry later than the time of sending, or leave it out for the default of the account.'),

  ('bad_webhook', '22O08', 'Not a name of a webhook: %s',
   'Give 1 to 63 characters of a-z, 0-9, "_", "." and "-", the first a letter or a digit.'),
  ('bad_webhook_url', '22O08', 'Not a URL of a webhook: %s',
   'Give https://host/path with a public address, in ASCII and without a password.'),
  ('bad_event_type', '22O08', 'Not a type of event: %s', 'Correct it, or leave all out to be told of every type.'),
  ('bad_position', '22O08', 'Not a position of the log: %s', 'Give a position that the log has, or the next one.'),

  ('idempotency_conflict', '23O01', 'Idempotency key already used for something else: %s',
   'Use a key of its own for each notification, or repeat the first recipient and content exactly.'),

  ('webhook_taken', '23O02', 'There is a webhook of this name already: %s', 'Give another name, or delete that one first.'),

  ('version_conflict', '40O01', 'Another writer was first: %s', 'Read the state again and repeat the transaction.'),

  ('unknown_notification', '42O01', 'No such notification: %s',
   'Check the id and the account: old notifications may have been archived.'),
  ('unknown_account', '42O02', 'No such account: %s',
   'Check its name: an account is known once a worker has taken its lease.'),
  ('unknown_recipient', '42O03', 'Nothing is held of this recipient: %s',
   'Check the number: it may have been erased already, or nothing was ever sent there.'),

  ('unknown_webhook', '42O04', 'No such webhook: %s', 'See which there are: outbox webhook list, or GET /v1/webhooks.'),

  ('cannot_cancel', '55O01', 'Not to be cancelled: %s',
   'Only what is pending or held as unknown can be cancelled; what was sent can be revoked with a content of kind "revoke".'),
  ('cannot_requeue', '55O01', 'Not to be requeued: %s',
   'Only what ended without success can be requeued; enqueue a new notification instead.'),
  ('erased', '55O01', 'Erased meanwhile: %s',
   'Its body or its recipient is not held any more: enqueue a new notification instead.'),
  ('cannot_forget', '55O01', 'Not to be forgotten now: %s',
   'Nothing has been erased: repeat it when that has ended.'),
  ('suppressed', '55O03', 'Recipient is suppressed: %s',
   'They are not to be written to; when they have agreed again: outbox unsuppress.'),
  ('stale_epoch', '55O02', 'Lease lost: %s', 'Another owner has the account: stop its session and take the lease again before anything else.')
$$;
