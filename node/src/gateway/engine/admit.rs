//! Who comes and goes by HTTP: POST, PATCH and DELETE as the engine sees them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use banyan_protocol::coding::Track;
use banyan_protocol::identity::{Action, SessionId};

use super::{Channel, Engine, Peer, Role, deadline};
use crate::gateway::candidates;
use crate::gateway::connection::Connection;
use crate::gateway::event::Gone;
use crate::gateway::limits;
use crate::gateway::playback::track::Outgoing;
use crate::gateway::playback::viewer::Viewer;
use crate::gateway::publisher::{Publisher, random_ssrc};
use crate::gateway::random;
use crate::gateway::refusal::Refusal;
use crate::gateway::sdp::{
    Answer, AnswerMedia, Fragment, Offer, OfferError, Terms, candidate_lines, choose_for_publisher,
    choose_for_viewer,
};

/// A peer was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// The last part of its session URL: 128 random bits.
    pub resource: String,
    /// The entity tag of its ICE session, without quotes.
    pub etag: String,
    /// The answer.
    pub sdp: String,
    /// Where it can ask for its own address (STUN): our first.
    pub stun: Option<SocketAddr>,
}

/// A PATCH was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patched {
    /// Its candidates are noted.
    Trickled,
    /// ICE restarts.
    Restarted {
        /// The entity tag of the new ICE session, without quotes.
        etag: String,
        /// Our new credentials and candidates, as an SDP fragment.
        fragment: String,
    },
}

/// The session URL of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// WHIP or WHEP.
    pub action: Action,
    /// The session in its path.
    pub session: SessionId,
    /// Its last part.
    pub id: String,
}

impl Engine {
    /// Lets a publisher in. One at a time: a live one keeps its place, a dead one loses it.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        session: SessionId,
        offer: &Offer,
        client: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        let (choices, format) = choose_for_publisher(offer, &self.video_codecs)?;
        self.make_room(now)?;
        if let Some(&id) = self.publishers.get(&session) {
            let live = self.peers.get(&id).is_some_and(|peer| {
                let silent = now.saturating_duration_since(peer.connection.heard());
                peer.connection.is_connected() && silent < limits::PUBLISHER_SILENT
            });
            if live {
                return Err(Refusal::PublisherLive);
            }
            self.with_peer(now, id, |_, _| Ok(Some(Gone::Replaced)));
        }
        let publisher = Publisher::new(offer, &choices, format);
        let media: Vec<AnswerMedia> =
            choices.into_iter().map(|choice| AnswerMedia { choice, ssrc: None }).collect();
        let (id, admitted) =
            self.admit(now, session, (offer, client), &media, Role::Publisher(publisher))?;
        self.publishers.insert(session, id);
        Ok(admitted)
    }

    /// Lets a viewer in.
    pub(crate) fn watch(
        &mut self,
        now: Instant,
        session: SessionId,
        offer: &Offer,
        client: Option<IpAddr>,
    ) -> Result<Admitted, Refusal> {
        let channel = self.channels.get(&session);
        let format =
            channel.and_then(|channel| channel.stream.live_format(now)).ok_or(Refusal::NotLive)?;
        let choices = choose_for_viewer(offer, format)?;
        self.make_room(now)?;
        let (mut video, mut audio, mut media) = (None, None, Vec::new());
        for choice in choices {
            let ssrc = random_ssrc();
            let outgoing = Some(Outgoing::new(ssrc, &choice));
            match track_of(&choice) {
                Track::Video => video = outgoing,
                Track::Audio => audio = outgoing,
            }
            media.push(AnswerMedia { choice, ssrc: Some(ssrc) });
        }
        let viewer = Viewer::new(now, video, audio);
        let (id, admitted) =
            self.admit(now, session, (offer, client), &media, Role::Viewer(viewer))?;
        if let Some(Channel { viewers, .. }) = self.channels.get_mut(&session) {
            viewers.insert(id);
        }
        Ok(admitted)
    }

    fn make_room(&self, now: Instant) -> Result<(), Refusal> {
        if self.candidates.is_empty() {
            return Err(Refusal::NoAddress);
        }
        let handshakes = || {
            let young =
                |peer: &&Peer| !peer.connection.is_connected() && peer.connection.expires() > now;
            self.peers.values().filter(young).count()
        };
        // Counting handshakes is only worth it where there are many peers.
        let full = self.peers.len() >= self.peers_max
            || self.peers.len() >= limits::HANDSHAKES_MAX && handshakes() >= limits::HANDSHAKES_MAX;
        if full { Err(Refusal::Full) } else { Ok(()) }
    }

    fn admit(
        &mut self,
        now: Instant,
        session: SessionId,
        (offer, client): (&Offer, Option<IpAddr>),
        media: &[AnswerMedia],
        role: Role,
    ) -> Result<(u64, Admitted), Refusal> {
        let connection = Connection::new(now, &self.identity, offer).map_err(|error| {
            tracing::error!(%error, "a peer's transport could not be made");
            Refusal::Internal
        })?;
        let candidates = candidates::choose(&self.candidates, client);
        let terms = Terms {
            id: random::u32(),
            ice: connection.ice.local(),
            fingerprint: self.identity.fingerprint(),
            candidates: &candidates,
        };
        let sdp = Answer { offer, terms }.write(media);
        let etag = connection.ice.local().ufrag.clone();
        let resource = random::hex::<16>();
        let id = self.next_peer;
        self.next_peer += 1;
        self.by_ufrag.insert(etag.clone(), id);
        self.by_resource.insert(resource.clone(), id);
        let mut peer = Peer {
            session,
            resource: resource.clone(),
            connection,
            role,
            deadline: now,
            ufrags: vec![etag.clone()],
            addresses: Vec::new(),
        };
        peer.deadline = deadline(now, &mut peer);
        self.deadlines.insert((peer.deadline, id));
        self.peers.insert(id, peer);
        let stun = candidates.first().copied();
        Ok((id, Admitted { resource, etag, sdp, stun }))
    }

    fn find(&self, resource: &Resource) -> Result<u64, Refusal> {
        let id = *self.by_resource.get(&resource.id).ok_or(Refusal::UnknownResource)?;
        let peer = self.peers.get(&id).ok_or(Refusal::UnknownResource)?;
        let action = match peer.role {
            Role::Publisher(_) => Action::Publish,
            Role::Viewer(_) => Action::Watch,
        };
        if action == resource.action && peer.session == resource.session {
            Ok(id)
        } else {
            Err(Refusal::UnknownResource)
        }
    }

    /// Takes candidates, or restarts ICE. `if_match` is the entity tag the client names, without
    /// quotes; `*` goes with a restart.
    pub(crate) fn patch(
        &mut self,
        now: Instant,
        resource: &Resource,
        fragment: &Fragment,
        if_match: Option<&str>,
    ) -> Result<Patched, Refusal> {
        let id = self.find(resource)?;
        let mut outcome = Err(Refusal::Internal);
        self.with_peer(now, id, |engine, peer| {
            outcome = engine.patch_peer(now, id, peer, fragment, if_match);
            Ok(None)
        });
        outcome
    }

    fn patch_peer(
        &mut self,
        now: Instant,
        id: u64,
        peer: &mut Peer,
        fragment: &Fragment,
        if_match: Option<&str>,
    ) -> Result<Patched, Refusal> {
        let ice = &mut peer.connection.ice;
        // Absent is taken for current: several clients in the wild never send one.
        if if_match.is_some_and(|tag| tag != "*" && tag != ice.local().ufrag) {
            return Err(Refusal::EtagMismatch);
        }
        let new_ufrag = fragment.ufrag.as_ref().filter(|ufrag| *ufrag != ice.remote_ufrag());
        let Some(ufrag) = new_ufrag else {
            for candidate in &fragment.candidates {
                ice.add_remote_candidate(now, *candidate);
            }
            return Ok(Patched::Trickled);
        };
        if !fragment.has_password {
            let why = "an ICE restart needs a=ice-pwd beside a=ice-ufrag";
            return Err(OfferError::Malformed(why.into()).into());
        }
        let local = ice.restart(ufrag.clone()).clone();
        for candidate in &fragment.candidates {
            ice.add_remote_candidate(now, *candidate);
        }
        // The generation before the last is forgotten: `Ice` honours two.
        if peer.ufrags.len() == 2 {
            self.by_ufrag.remove(&peer.ufrags.remove(0));
        }
        peer.ufrags.push(local.ufrag.clone());
        self.by_ufrag.insert(local.ufrag.clone(), id);
        let fragment = format!(
            "a=ice-lite\r\na=ice-options:trickle\r\na=ice-ufrag:{}\r\na=ice-pwd:{}\r\n{}",
            local.ufrag,
            local.password,
            candidate_lines(&candidates::choose(&self.candidates, None))
        );
        Ok(Patched::Restarted { etag: local.ufrag, fragment })
    }

    /// Ends a peer's connection on its own wish.
    pub(crate) fn delete(&mut self, now: Instant, resource: &Resource) -> Result<(), Refusal> {
        let id = self.find(resource)?;
        self.with_peer(now, id, |_, _| Ok(Some(Gone::Left)));
        Ok(())
    }
}

fn track_of(choice: &crate::gateway::sdp::Choice) -> Track {
    if choice.payload.channels > 0 { Track::Audio } else { Track::Video }
}
