//! TLS to an Engine on a TCP port: `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH`, or the certificates of a docker context.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::error::Error;

/// What a connection is secured with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Where `ca.pem`, `cert.pem` and `key.pem` are; the machine's own authorities stand in for a missing `ca.pem`, and
    /// without the other two the Engine is not told who asks (docker's rule).
    pub directory: PathBuf,
    /// Whether the Engine must show a certificate of that authority for its name.
    pub verify: bool,
}

impl Tls {
    /// Reads the certificates.
    ///
    /// # Errors
    /// [`Error::Address`] with the file that cannot be read or does not hold what its name says.
    pub(super) fn connector(&self) -> Result<TlsConnector, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let unusable = |what: &str, why: &dyn std::fmt::Display| {
            Error::Address(format!("{what} in {} cannot be used: {why}", self.directory.display()))
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|why| unusable("TLS with what is", &why))?;
        let builder = if self.verify {
            let authorities = Arc::new(self.authorities()?);
            let verifier = WebPkiServerVerifier::builder_with_provider(authorities, provider);
            builder.with_webpki_verifier(verifier.build().map_err(|why| unusable("ca.pem", &why))?)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        };
        let (chain, key) = (self.directory.join("cert.pem"), self.directory.join("key.pem"));
        let configuration = if chain.exists() || key.exists() {
            let chain = certificates(&chain)?;
            let key = PrivateKeyDer::from_pem_file(&key).map_err(|why| unusable("key.pem", &why))?;
            builder.with_client_auth_cert(chain, key).map_err(|why| unusable("cert.pem with key.pem", &why))?
        } else {
            builder.with_no_client_auth()
        };
        Ok(TlsConnector::from(Arc::new(configuration)))
    }

    /// Whom to believe.
    fn authorities(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        let file = self.directory.join("ca.pem");
        let believed =
            if file.exists() { certificates(&file)? } else { rustls_native_certs::load_native_certs().certs };
        for certificate in believed {
            // a machine may carry one that is malformed; if it is the one that is needed, the handshake says so
            let _ = store.add(certificate);
        }
        if store.is_empty() {
            let message = format!("{} is not there, and this machine has no authorities of its own", file.display());
            return Err(Error::Address(message));
        }
        Ok(store)
    }
}

/// All certificates of a file; one at least.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unusable = |why: &dyn std::fmt::Display| Error::Address(format!("{} cannot be used: {why}", file.display()));
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(unusable(&"it holds no certificate")),
        Ok(found) => Ok(found),
        Err(why) => Err(unusable(&why)),
    }
}

/// Makes a fresh connection to `host` a secure one.
pub(super) async fn secure(
    connector: &TlsConnector,
    host: &str,
    stream: TcpStream,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    connector.connect(name, stream).await.map_err(|why| io::Error::new(why.kind(), format!("TLS: {why}")))
}

/// Believes everybody (`DOCKER_TLS` without `DOCKER_TLS_VERIFY`, a context with `SkipTLSVerify`): it must still hold the key
/// of the certificate that it shows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, shown, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, shown, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
