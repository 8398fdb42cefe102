//! The TLS configuration and the certificate authorities that it trusts.

use std::fmt::Display;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::value::error::{Error, ErrorKind};

/// Builds the TLS configuration with the compiled-in authorities: reading a machine's own slows a cold start.
pub(crate) fn build_config(authorities: &[u8]) -> Result<rustls::ClientConfig, Error> {
    let wrong = |error: &dyn Display| Error::new(ErrorKind::Bug, format!("The certificate authorities cannot be read: {error}."));
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(authorities) {
        roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.expect("the ring provider has the default versions").with_root_certificates(roots).with_no_client_auth())
}
