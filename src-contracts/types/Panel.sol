// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Phase} from "src-contracts/types/Lease.sol";

/// @notice The one storage word of a range with several seats: `flags 8 | openedAt 40 | postBlock 40 | postedAt 40 | rampFrom 40 |
/// movedAt 40 | count 16 | sitting 8 | committed 8 | lapses 8`, in the range's slot, with the phase `Seated`.
type PanelWord is uint256;

/// @notice A panel in memory.
struct Panel {
    /// SOLO when the range is the whole job.
    uint8 flags;
    /// When the first seat was claimed.
    uint40 openedAt;
    /// Block and second of the post: those who join are drawn by the same seed as the first.
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
    /// Not zero when a bonus of lapsed seats waits for the next who joins.
    uint8 lapses;
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
    function pack(Panel memory self) internal pure returns (PanelWord) {
        return PanelWord.wrap(
            (uint256(self.flags | uint8(Phase.Seated)) << 248) | (uint256(self.openedAt) << 208)
                | (uint256(self.postBlock) << 168) | (uint256(self.postedAt) << 128) | (uint256(self.rampFrom) << 88)
                | (uint256(self.movedAt) << 48) | (uint256(self.count) << 32) | (uint256(self.sitting) << 24)
                | (uint256(self.committed) << 16) | (uint256(self.lapses) << 8)
        );
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
        p.sitting = uint8(word >> 24);
        p.committed = uint8(word >> 16);
        p.lapses = uint8(word >> 8);
    }
}
