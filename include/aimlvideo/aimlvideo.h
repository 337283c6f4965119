// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

/// The one header for applications. The guide to it is docs/library.md.

#include <aimlvideo/account.h>
#include <aimlvideo/catalogue.h>
#include <aimlvideo/clip_store.h>
#include <aimlvideo/error.h>
#include <aimlvideo/field.h>
#include <aimlvideo/folders.h>
#include <aimlvideo/job.h>
#include <aimlvideo/ledger.h>
#include <aimlvideo/log.h>
#include <aimlvideo/mark.h>
#include <aimlvideo/money.h>
#include <aimlvideo/printable.h>
#include <aimlvideo/request.h>
#include <aimlvideo/settings.h>
#include <aimlvideo/spool.h>
#include <aimlvideo/status.h>
#include <aimlvideo/uri.h>
