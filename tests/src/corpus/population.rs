//! Who takes part in generated traffic: services, their routes, the clients that call them.

use super::prng::{Prng, Zipf};
use super::prose::{RESOURCES, WORDS};

/// How many services there are.
pub const SERVICES: usize = 40;
/// How many containers a service runs in.
pub const CONTAINERS: usize = 8;
const ROUTES: usize = 320;
const CLIENTS: u64 = 20_000;

/// An operation of a service.
#[derive(Clone, Debug)]
pub struct Route {
    /// Which service answers.
    pub service: usize,
    /// HTTP method.
    pub method: &'static str,
    /// The template.
    pub template: String,
    /// Index into [`RESOURCES`].
    pub resource: usize,
    /// Usual duration in ms.
    pub median_ms: f64,
}

/// One caller.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// IPv4 address.
    pub ip: [u8; 4],
    /// Its number, where it is somebody known.
    pub user: Option<u32>,
    /// Its `User-Agent`.
    pub agent: &'static str,
}

/// Everybody, drawn with the skew that traffic has.
#[derive(Clone, Debug)]
pub struct Population {
    services: Vec<String>,
    containers: Vec<String>,
    routes: Vec<Route>,
    by_rank: Zipf,
    clients: Zipf,
    agents: Zipf,
}

impl Population {
    /// The same for equal `prng`.
    pub fn new(prng: &mut Prng) -> Self {
        let services: Vec<String> = (0..SERVICES)
            .map(|n| match n.checked_sub(RESOURCES.len()) {
                None => format!("{}-api", RESOURCES[n].0),
                Some(more) => format!("{}-gateway", WORDS[more * 7]),
            })
            .collect();
        let containers = services
            .iter()
            .flat_map(|service| [service.as_str(); CONTAINERS])
            .map(|service| format!("{service}-{:05x}", prng.below(1 << 20)))
            .collect();
        let routes = (0..ROUTES).map(|n| route(prng, n)).collect();
        Self {
            services,
            containers,
            routes,
            by_rank: Zipf::new(ROUTES, 1.0),
            clients: Zipf::new(CLIENTS as usize, 0.8),
            agents: Zipf::new(AGENTS.len(), 1.0),
        }
    }

    /// Name of a service.
    pub fn service(&self, service: usize) -> &str {
        &self.services[service]
    }

    /// Name of a container.
    pub fn container(&self, service: usize, container: usize) -> &str {
        &self.containers[service * CONTAINERS + container]
    }

    /// A route, the frequent ones often.
    pub fn draw_route(&self, prng: &mut Prng) -> &Route {
        &self.routes[self.by_rank.draw(prng)]
    }

    /// A client; one number always has the same address and user.
    pub fn draw_client(&self, prng: &mut Prng) -> Client {
        let number = self.clients.draw(prng) as u32;
        let mut own = Prng::new(u64::from(number) ^ 0x00c1_1e47);
        let [_, b, c, d, ..] = own.bits().to_le_bytes();
        let user = own.chance(0.4).then_some(10_000 + number);
        Client {
            ip: [[81, 93, 178, 203][own.below(4) as usize], b, c, d],
            user,
            agent: AGENTS[self.agents.draw(&mut own)],
        }
    }
}

fn route(prng: &mut Prng, n: usize) -> Route {
    let resource = (n * 7 + n / RESOURCES.len()) % RESOURCES.len();
    let name = RESOURCES[resource].0;
    let service = if prng.chance(0.75) { resource } else { RESOURCES.len() + prng.below(10) as usize };
    let base = match prng.below(10) {
        0..=5 => "/v1",
        6..=8 => "/v2",
        _ => "/internal",
    };
    let (method, tail) = match prng.below(12) {
        0..=3 => ("GET", "/{id}".into()),
        4..=5 => ("GET", String::new()),
        6 => ("POST", String::new()),
        7 => ("PUT", "/{id}".into()),
        8 => ("GET", format!("/{{id}}/{}", prng.pick(&WORDS))),
        9 => ("POST", format!("/{{id}}/{}", prng.pick(&WORDS))),
        10 => ("PATCH", "/{id}".into()),
        _ => ("DELETE", "/{key}".into()),
    };
    Route { service, method, template: format!("{base}/{name}{tail}"), resource, median_ms: prng.log_normal(18.0, 0.9) }
}

const AGENTS: [&str; 50] = [
    "okhttp/4.12.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "python-requests/2.31.0",
    "Go-http-client/2.0",
    "axios/1.6.8",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "ShopApp/8.4.1 (Android 14)",
    "ShopApp/8.4.1 (iOS 17.5)",
    "node-fetch/1.0",
    "curl/8.5.0",
    "Apache-HttpClient/5.3.1 (Java/21.0.3)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "kube-probe/1.29",
    "Prometheus/2.52.0",
    "ShopApp/8.3.0 (Android 13)",
    "ShopApp/8.3.0 (iOS 17.4)",
    "reqwest/0.12.4",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Java-http-client/17.0.11",
    "undici",
    "aiohttp/3.9.5",
    "python-httpx/0.27.0",
    "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A.230805.001)",
    "Ruby",
    "Faraday v2.9.0",
    "GuzzleHttp/7",
    "PostmanRuntime/7.39.0",
    "insomnia/9.2.0",
    "k6/0.51.0",
    "Wget/1.21.4",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0",
    "ShopApp/8.2.2 (Android 12)",
    "ShopApp/8.2.2 (iOS 16.7)",
    "grpc-java-netty/1.63.0",
    "grpc-go/1.64.0",
    "envoy/1.30",
    "Mozilla/5.0 (iPad; CPU OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
    "Dart/3.4 (dart:io)",
    "CFNetwork/1496.0.7 Darwin/23.5.0",
    "Symfony HttpClient (Curl)",
    "libwww-perl/6.77",
    "PycURL/7.45.3 libcurl/8.5.0",
    "worker/2.8.1 (batch)",
    "scheduler/1.14.0",
];
