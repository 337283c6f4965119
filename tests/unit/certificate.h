// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

namespace aimlvideo::test {

/// A certificate for 127.0.0.1 that no authority has signed. Its key is public, so it is of no use but in a test.
constexpr auto selfSigned = "-----BEGIN CERTIFICATE-----\n"
                            "MIIBijCCATCgAwIBAgIUX5EdJB+hGKC0V6l56BVIRxKRHbwwCgYIKoZIzj0EAwIw\n"
                            "ETEPMA0GA1UEAwwGYSB0ZXN0MCAXDTI2MTEyMTAzMzYxOVoYDzIxMjYxMDI4MDMz\n"
                            "NjE5WjARMQ8wDQYDVQQDDAZhIHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC\n"
                            "AATiehbCfeChVce8yAOv5FYycVnopEzznynxwQ0HJPwmtcAUjd+ByHeuxoAXjmmL\n"
                            "C4gD4D7upyMvFzQ37GNgmc1Ko2QwYjAdBgNVHQ4EFgQUPZIyCRX8OVBVkymygS/S\n"
                            "gtdNSUswHwYDVR0jBBgwFoAUPZIyCRX8OVBVkymygS/SgtdNSUswDwYDVR0TAQH/\n"
                            "BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUCIE+MY+iO\n"
                            "o0vl+kFPLGcn/ShYRa0Zx7S68MyTpSxQHXH/AiEAqjRrDXPKIjovA8ZzXttJvu+y\n"
                            "zduRlqDmzephHgcm76o=\n"
                            "-----END CERTIFICATE-----\n";

constexpr auto selfSignedKey = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHxcDzBaGENE/L/TO\n"
                               "XkBfRccF5UfQDITUSDVlQbrBRm+hRANCAATiehbCfeChVce8yAOv5FYycVnopEzz\n"
                               "nynxwQ0HJPwmtcAUjd+ByHeuxoAXjmmLC4gD4D7upyMvFzQ37GNgmc1K\n"
                               "-----END PRIVATE KEY-----\n";

} // namespace aimlvideo::test
