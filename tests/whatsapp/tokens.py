"""The words that WhatsApp's binary XML writes as one or two bytes (dictionary version 3)."""

_WORDS = """
xmlstreamstart xmlstreamend s.whatsapp.net type participant from receipt id notification
disappearing_mode status jid broadcast user devices device_hash to offline message result class
xmlns duration notify iq t ack g.us enc urn:xmpp:whatsapp:push presence config_value picture
verified_name config_code key-index-list contact mediatype routing_info edge_routing get read
urn:xmpp:ping fallback_hostname 0 chatstate business_hours_config unavailable download_buckets
skmsg verified_level composing handshake device-list media text fallback_ip4 media_conn device
creation location config item fallback_ip6 count w:profile:picture image business 2 hostname
call-creator display_name relaylatency platform abprops success msg offline_preview prop key-index
v day_of_week pkmsg version 1 ping w:p download video set specific_hours props primary unknown
hash commerce_experience last subscribe max_buckets call profile member_since_text close_time
call-id sticker mode participants value query profile_options open_time code list host ts contacts
upload lid preview update usync w:stats delivery auth_ttl context fail cart_enabled appdata
category atn direct_connection decrypt-fail relay_id mmg-fallback.whatsapp.net target available
name last_id mmg.whatsapp.net categories 401 is_new index tctoken ip4 token_id latency recipient
edit ip6 add thumbnail-document 26 paused true identity stream:error key sidelist background audio
3 thumbnail-image biz-cover-photo cat gcm thumbnail-video error auth deny serial in registration
thumbnail-link remove 00 gif thumbnail-gif tag capability multicast item-not-found description
business_hours config_expo_key md-app-state expiration fallback ttl 300 md-msg-hist
device_orientation out w:m open_24h side_list token inactive 01 document te2 played encrypt msgr
hide direct_path 12 state not-authorized url terminate signature status-revoke-delay 02 te
linked_accounts trusted_contact timezone ptt kyc-id privacy_token readreceipts appointment_only
address expected_ts privacy 7 android interactive device-identity enabled attribute_padding 1080
03 screen_height
"""
SINGLE = ("", *_WORDS.split())
"""By their byte; no word has the byte 0."""

DOUBLE = {
    0: {
        0: "read-self",
        1: "active",
        4: "reaction",
        11: "retry",
        14: "conflict",
        17: "replaced",
        18: "preaccept",
        24: "passive",
        28: "offer",
        32: "w:gp2",
        35: "business_profile",
        37: "sender",
        38: "prev_v_id",
        39: "email",
        44: "transport",
        45: "skey",
        46: "reason",
        60: "member_add_mode",
        68: "tokens",
        81: "pn",
        82: "delete",
        86: "admin",
        91: "collection",
        95: "phash",
        96: "all",
        97: "invite",
        98: "accept",
        104: "net",
        106: "background_location",
        109: "privacy_mode_ts",
        110: "account_sync",
        111: "voip_payload_type",
        114: "v_id",
        118: "actual_actors",
        120: "w:biz",
        123: "notice",
        125: "host_storage",
        127: "subject",
        130: "groupadd",
        132: "note.m4r",
        139: "stage",
        143: "fb",
        146: "0d",
        148: "superadmin",
        150: "Opening.m4r",
        154: "timestamp",
        156: "w:sync:app:state",
        160: "p_v_id",
        166: "creator",
        170: "group",
        177: "online",
        181: "timeout",
        184: "urn:xmpp:whatsapp:dirty",
        186: "a_v_id",
        188: "nse_call",
        190: "none",
        191: "web",
        192: "groups",
        195: "contact_blacklist",
        196: "nse_read",
        201: "reg_push",
        203: "server_sync",
        212: "nse_ver",
        214: "dhash",
        217: "blocklist",
        218: "default",
        227: "sync",
        238: "s_t",
        246: "patch",
        247: "polltype",
        252: "played-self",
    },
    1: {
        0: "reject",
        1: "dirty",
        2: "announcement",
        7: "fb:thrift_iq",
        10: "full",
        13: "smax_id",
        22: "s_o",
        27: "peer_msg",
        30: "return_snapshot",
        31: "high",
        43: "locked",
        50: "voip",
        51: "w:g2",
        64: "pkey",
        80: "ref",
        86: "match_last_seen",
        99: "hist_sync",
        117: "body",
        120: "participating",
        125: "meta",
        145: "server-error",
        152: "vote",
        161: "poll",
        175: "fbid:devices",
        176: "height",
        179: "order",
        191: "val",
        198: "size",
        199: "request",
        200: "ephemeral",
        211: "action",
        213: "width",
        230: "device_fanout",
        238: "pair-device",
        239: "lg",
        240: "lc",
        248: "clean",
    },
    2: {
        14: "mediaretry",
        29: "mute",
        58: "enc_iv",
        60: "failure",
        84: "biz",
        98: "enc_p",
        115: "vcard",
        120: "peer",
        165: "product",
        239: "rate-overlimit",
    },
    3: {
        30: "keys",
        76: "create",
        86: "en",
        195: "prev_dhash",
        219: "modify",
    },
}
"""By their dictionary and byte: those that the library knows by name, of 1,024."""
