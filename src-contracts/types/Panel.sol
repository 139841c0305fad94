// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Phase} from "src-contracts/types/Lease.sol";

/// @notice The first of the two storage words of a range that several nodes compute: `flags 8 | openedAt 40 | postBlock 40 | postedAt 40 |
/// rampFrom 40 | movedAt 40 | count 16 | sitting 4 | committed 4 | asked 4 | convicted 4 | marks 16`, in the range's slot, with the phase
/// `Seated`. The second is the `Bench`.
type PanelWord is uint256;

/// @notice A panel in memory.
struct Panel {
    /// SOLO when the range is the whole job.
    uint8 flags;
    /// When the first seat was claimed; of an audit, when the first seat had committed.
    uint40 openedAt;
    /// Block and second of the post (of an audit, of the commit): those who join are drawn by the block after it.
    uint40 postBlock;
    uint40 postedAt;
    /// Where the price ramp began.
    uint40 rampFrom;
    /// Second of the last commit or lapse.
    uint40 movedAt;
    /// Shards of the range.
    uint16 count;
    /// Nodes that sit, and how many of them have committed.
    uint8 sitting;
    uint8 committed;
    /// Seats: 3 or 5 as the terms ask, 2 in an audit.
    uint8 asked;
    /// Seats that a jury has dealt with: found wrong, or excused. They count as committed, never for a quorum.
    uint8 convicted;
    /// `BONUS`, `SPOKEN`, `POOL`.
    uint16 marks;
}

/// @notice How a panel ended.
enum Outcome {
    /// A quorum showed the same root.
    Agreed,
    /// Results were shown, none by a quorum.
    Unresolved,
    /// Nobody showed anything.
    Silent
}

using PanelLib for Panel global;
using PanelWordLib for PanelWord global;

library PanelLib {
    /// A bonus of lapsed seats waits for the next who joins.
    uint16 internal constant BONUS = 1;
    /// Some seat was revealed by itself: its word is under the seat's key.
    uint16 internal constant SPOKEN = 2;
    /// The auditor is paid by the protocol, not from the job's escrow.
    uint16 internal constant POOL = 4;
    /// Seats of an audit: who holds the lease, and who checks.
    uint8 internal constant AUDIT = 2;

    function pack(Panel memory self) internal pure returns (PanelWord) {
        uint256 counts = (uint256(self.sitting) << 12) | (uint256(self.committed) << 8) | (uint256(self.asked) << 4)
            | self.convicted;
        return PanelWord.wrap(
            (uint256(self.flags | uint8(Phase.Seated)) << 248) | (uint256(self.openedAt) << 208)
                | (uint256(self.postBlock) << 168) | (uint256(self.postedAt) << 128) | (uint256(self.rampFrom) << 88)
                | (uint256(self.movedAt) << 48) | (uint256(self.count) << 32) | (counts << 16) | self.marks
        );
    }

    function has(Panel memory self, uint16 mark) internal pure returns (bool) {
        return self.marks & mark != 0;
    }
}

library PanelWordLib {
    function unpack(PanelWord self) internal pure returns (Panel memory p) {
        uint256 word = PanelWord.unwrap(self);
        p.flags = uint8(word >> 248) & 0xf0;
        p.openedAt = uint40(word >> 208);
        p.postBlock = uint40(word >> 168);
        p.postedAt = uint40(word >> 128);
        p.rampFrom = uint40(word >> 88);
        p.movedAt = uint40(word >> 48);
        p.count = uint16(word >> 32);
        p.sitting = uint8(word >> 28) & 0x0f;
        p.committed = uint8(word >> 24) & 0x0f;
        p.asked = uint8(word >> 20) & 0x0f;
        p.convicted = uint8(word >> 16) & 0x0f;
        p.marks = uint16(word);
    }
}
