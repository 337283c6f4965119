// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include "emulator/service/service.h"
#include "emulator/wire/wire.h"

namespace aimlvideo::emulator {

/// The emulator's own endpoints, below /emulator/.
class Control {
public:
  Control(Service &service, Wires &wires) : service_(service), wires_(wires) {}
  Response answer(const Request &request);

private:
  Response report(const Request &request) const;
  Response ofTask(const Request &request) const;
  Response changeFaults(const Request &request);
  void reset();

  Service &service_;
  Wires &wires_;
};

} // namespace aimlvideo::emulator
