//! How a connection is encrypted, and whom it trusts: `sslmode` and `sslrootcert` of the URL.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::Problem;

/// What of the server's certificate is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// Nothing: nobody can listen, but anybody can answer.
    Anyone,
    /// Who signed it.
    Signer,
    /// Who signed it, and the name of the host.
    Host,
}

/// What the URL says of encryption, taken out of it where the driver does not know it.
pub(super) struct Encryption {
    trust: Trust,
    root_file: Option<PathBuf>,
}

impl Encryption {
    /// Takes `sslrootcert`, and those values of `sslmode` that the driver does not know, out of a URL.
    pub(super) fn take(url: &str) -> (String, Self) {
        let mut taken = Self { trust: Trust::Anyone, root_file: None };
        let Some((base, query)) = url.split_once('?') else {
            return (url.to_owned(), taken);
        };
        let mut kept = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", mode @ ("verify-ca" | "verify-full"))) => {
                    taken.trust = if mode == "verify-ca" { Trust::Signer } else { Trust::Host };
                    kept.push("sslmode=require".to_owned());
                }
                // As everywhere: who names a root with it wants it looked at.
                Some(("sslrootcert", file)) => {
                    taken.root_file = (file != "system").then(|| unescaped(file).into());
                    if taken.trust == Trust::Anyone {
                        taken.trust = if file == "system" { Trust::Host } else { Trust::Signer };
                    }
                }
                _ => kept.push(pair.to_owned()),
            }
        }
        let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
        (url, taken)
    }

    /// Whether it matters who is at the other end.
    pub(super) fn is_particular(&self) -> bool {
        self.trust != Trust::Anyone
    }

    /// What connects, with `roots` in PEM trusted beside those that the URL names; the system's where there are none.
    pub(super) fn connector(&self, roots: &[u8]) -> Result<MakeRustlsConnect, Problem> {
        let provider = Arc::new(ring::default_provider());
        let trust = if roots.is_empty() { self.trust } else { self.trust.max(Trust::Signer) };
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Anyone => Arc::new(Verifier { trust, inner: None, provider: Arc::clone(&provider) }),
            trust => {
                let store = Arc::new(self.roots(roots)?);
                let inner = WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider))
                    .build()
                    .map_err(|error| self.unusable(error))?;
                Arc::new(Verifier { trust, inner: Some(inner), provider: Arc::clone(&provider) })
            }
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| self.unusable(error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn unusable(&self, problem: impl fmt::Display) -> Problem {
        Problem::Roots { file: self.root_file.clone(), problem: problem.to_string() }
    }

    fn roots(&self, roots: &[u8]) -> Result<RootCertStore, Problem> {
        let mut store = RootCertStore::empty();
        let mut pem = roots.to_vec();
        if let Some(file) = &self.root_file {
            pem.push(b'\n');
            pem.extend(fs::read(file).map_err(|error| self.unusable(error))?);
        }
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| self.unusable(error))?;
            store.add(certificate).map_err(|error| self.unusable(error))?;
        }
        if self.root_file.is_none() && roots.is_empty() {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() {
            return Err(self.unusable("there is none"));
        }
        Ok(store)
    }
}

/// A value of a URL without its `%`.
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(escaped.unwrap_or(*first));
        rest = escaped.and_then(|_| behind.get(2..)).unwrap_or(behind);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Looks at as much of a certificate as it is told to.
#[derive(Debug)]
struct Verifier {
    trust: Trust,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(inner) = &self.inner else {
            return Ok(ServerCertVerified::assertion());
        };
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The name is looked at last.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.trust == Trust::Signer => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let known = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
