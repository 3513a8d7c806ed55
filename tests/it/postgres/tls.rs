//! Encryption, and who is trusted.

use kiff::PostgresStore;
use kiff_test::block_on;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::cluster::{self, Cluster};

/// Somebody who signs certificates.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

#[test]
fn whoever_says_whom_to_trust_is_spoken_to_by_nobody_else_in_the_clear() {
    let cluster = cluster::shared();
    let (schema, _) = cluster.journal();
    let url = format!("postgres://writer@127.0.0.1:{}/postgres", cluster.port());
    let options = PostgresStore::options(&url).schema(&schema);
    let trusting = options.clone().root_certificates(authority("ours").pem());
    let file = cluster.file("ours.pem");
    cluster.write("ours.pem", &authority("ours").pem());
    let naming = PostgresStore::options(&format!("{url}?sslrootcert={}", file.replace('/', "%2F"))).schema(&schema);
    for options in [trusting, naming] {
        let told = block_on(options.connect()).unwrap_err().to_string();
        assert!(told.contains("TLS"), "{told}");
    }
    assert!(block_on(options.connect()).is_ok(), "it is there, in the clear");
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
    // Who is named in the URL is looked for, also where no host is.
    cluster.write("theirs.pem", &stranger.pem());
    let named = |file: &str| format!("sslmode=require&sslrootcert={}", cluster.file(file).replace('/', "%2F"));
    assert_eq!(connect("127.0.0.1", &named("ca.pem"), no), Ok(()));
    let unknown = connect("127.0.0.1", &named("theirs.pem"), no).unwrap_err();
    assert!(unknown.contains("UnknownIssuer"), "{unknown}");
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
