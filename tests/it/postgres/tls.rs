//! Encryption, and who is trusted.

use kiff::PostgresStore;
use kiff_test::block_on;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::cluster::Cluster;

/// Somebody who signs certificates.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn the_server_is_who_the_url_says_or_nobody_connects() {
    let (trusted, stranger) = (authority("ours"), authority("theirs"));
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["db.example".to_owned(), "localhost".to_owned()]).unwrap();
    let certificate = certificate.signed_by(&key, &trusted).unwrap();
    let cluster = Cluster::start("");
    cluster.write("data/server.crt", &certificate.pem());
    cluster.write("data/server.key", &key.serialize_pem());
    cluster.write("ca.pem", &trusted.pem());
    cluster.write("data/pg_hba.conf", "local all all trust\nhostssl all all 127.0.0.1/32 trust\n");
    cluster.sql("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.crash();
    cluster.boot();
    let (schema, _) = cluster.journal();
    let connect = |host: &str, options: &str, roots: &str| {
        let url = format!("postgres://writer@{host}:{}/postgres?{options}", cluster.port());
        let options = PostgresStore::options(&url).schema(&schema).root_certificates(roots);
        block_on(options.connect()).map(drop).map_err(|error| error.to_string())
    };
    let (ca, no) = (trusted.pem(), "");
    let file = format!("sslmode=verify-full&sslrootcert={}", cluster.file("ca.pem").replace('/', "%2F"));
    assert_eq!(connect("localhost", "sslmode=verify-full", &ca), Ok(()));
    assert_eq!(connect("localhost", &file, no), Ok(()));
    assert_eq!(connect("127.0.0.1", "sslmode=verify-ca", &ca), Ok(()));
    assert_eq!(connect("127.0.0.1", "sslmode=require", no), Ok(()));
    // The certificate is for another host, by somebody who is not trusted, or not looked at at all.
    let wrong_name = connect("127.0.0.1", "sslmode=verify-full", &ca).unwrap_err();
    assert!(wrong_name.contains("not valid for name"), "{wrong_name}");
    for options in ["sslmode=verify-full", "sslmode=verify-ca", "sslmode=require"] {
        let unknown = connect("localhost", options, &stranger.pem()).unwrap_err();
        assert!(unknown.contains("UnknownIssuer"), "{options}: {unknown}");
    }
    let unknown = connect("localhost", "sslmode=verify-full", no).unwrap_err();
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    let plain = connect("localhost", "sslmode=disable", no).unwrap_err();
    assert!(plain.contains("no encryption"), "{plain}");
    let broken = connect("localhost", "sslmode=verify-full&sslrootcert=/nowhere", no).unwrap_err();
    assert!(broken.contains("the certificates in `/nowhere` cannot be used"), "{broken}");
}
