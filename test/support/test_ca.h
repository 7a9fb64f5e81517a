// SPDX-License-Identifier: MIT
// A certificate authority of the test's own, made by the `openssl` program.
#pragma once
#include "peer.h"

#include <cuvee/io/tls_context.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace test_ca {

inline std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// A certificate and its key, as files.
struct leaf {
  std::string certificate, key;

  cuvee::tls_identity identity() const { return cuvee::tls_identity::load(certificate, key); }
};

struct leaf_options {
  std::string names = "DNS:localhost,DNS:example.test,IP:127.0.0.1,IP:::1";
  std::string key_type = "ec -pkeyopt ec_paramgen_curve:prime256v1";
  bool expired = false;
};

class authority {
 public:
  authority() {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 "
        "-subj '/CN=cuvee test CA' -addext keyUsage=critical,keyCertSign,cRLSign "
        "-keyout ca.key -out ca.pem");
  }

  std::string file() const { return folder_.path() + "/ca.pem"; }
  std::string pem() const { return content_of(file()); }
  const std::string& folder() const { return folder_.path(); }

  /// Issues a certificate with the common name `name`.
  leaf issue(const std::string& name, const leaf_options& o = {}) const {
    if (o.expired) issue_expired(name, o);
    else request(name, o, "-CA ca.pem -CAkey ca.key");
    return made(name);
  }
  /// One that nobody has signed but itself.
  leaf self_signed(const std::string& name, const leaf_options& o = {}) const {
    request(name, o, "");
    return made(name);
  }

 private:
  void request(const std::string& name, const leaf_options& o, const std::string& by) const {
    run("req -x509 -days 30 " + by + described(name, o) + " -out " + name + ".pem");
  }
  // Only `x509` makes certificates that have ended.
  void issue_expired(const std::string& name, const leaf_options& o) const {
    run("req -new" + described(name, o) + " -out " + name + ".csr");
    run("x509 -req -CA ca.pem -CAkey ca.key -copy_extensions copy -days -1 -in " + name +
        ".csr -out " + name + ".pem");
  }
  static std::string described(const std::string& name, const leaf_options& o) {
    return " -newkey " + o.key_type + " -nodes -subj '/CN=" + name +
           "' -addext 'subjectAltName=" + o.names +
           "' -addext basicConstraints=critical,CA:FALSE -keyout " + name + ".key";
  }
  leaf made(const std::string& name) const {
    return {folder_.path() + '/' + name + ".pem", folder_.path() + '/' + name + ".key"};
  }
  void run(const std::string& arguments) const {
    const std::string command = "cd '" + folder_.path() + "' && openssl " + arguments + " 2>log";
    if (std::system(command.c_str()) != 0)
      throw std::runtime_error("openssl: " + content_of(folder_.path() + "/log"));
  }

  peers::temporary_folder folder_;
};

/// One for all tests of a program.
inline const authority& shared() {
  static const authority made;
  return made;
}
/// For localhost, 127.0.0.1, ::1 and example.test.
inline const leaf& server_leaf() {
  static const leaf made = shared().issue("server");
  return made;
}

inline cuvee::tls_server_options server_options() {
  return cuvee::tls_server_options().identity(server_leaf().identity());
}
inline cuvee::tls_client_options client_options() {
  return cuvee::tls_client_options().ca_file(shared().file());
}

}  // namespace test_ca
