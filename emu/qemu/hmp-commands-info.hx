HXCOMM SPDX-License-Identifier: GPL-2.0-or-later
HXCOMM quill.c registers the handler.

    {
        .name       = "quill",
        .args_type  = "",
        .params     = "",
        .help       = "show the state of the quill devices",
        .flags      = "p",
    },

SRST
  ``info quill``
    Show the state of the quill devices.
ERST
