// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Params} from "src-contracts/types/Params.sol";

/// @notice What the hot path needs of one version of the parameters, in one word that travels in the terms:
/// `drawOpenAfter 24 | drawStep 16 | auditWindow 24 | revealWindow 24 | auditRates 16 | bondTenths 16 | feeBps 16 | version 16`.
/// @dev A job carries its numbers with it, so that claim, reveal and settle read no storage for them (2,100 gas each).
type Rules is uint152;

using RulesLib for Rules global;

library RulesLib {
    /// @notice The word of version `version_`. Its fields fit: `Parameters.check` bounds them.
    function pack(Params memory p, uint16 version_) internal pure returns (Rules) {
        return Rules.wrap(
            (uint152(p.drawOpenAfter) << 128) | (uint152(p.drawStep) << 112) | (uint152(p.auditWindow) << 88)
                | (uint152(p.revealWindow) << 64) | (uint152(p.auditRates) << 48) | (uint152(p.bondTenths) << 32)
                | (uint152(p.feeBps) << 16) | version_
        );
    }

    function version(Rules self) internal pure returns (uint16) {
        return uint16(Rules.unwrap(self));
    }

    function feeBps(Rules self) internal pure returns (uint256) {
        return uint16(Rules.unwrap(self) >> 16);
    }

    function bondTenths(Rules self) internal pure returns (uint256) {
        return uint16(Rules.unwrap(self) >> 32);
    }

    /// @notice Base rate of audits among single-seat leases of `runtime`, in basis points: what a fee of a few per cent can pay for. Two bits
    /// for each runtime up to 7; others are not audited by the protocol.
    function auditBps(Rules self, uint256 runtime) internal pure returns (uint256) {
        if (runtime > 7) return 0;
        // 0, 100, 200, 500, read from the packed table.
        return uint16(0x01f4_00c8_0064_0000 >> (16 * ((Rules.unwrap(self) >> (48 + 2 * runtime)) & 3)));
    }

    function revealWindow(Rules self) internal pure returns (uint256) {
        return uint24(Rules.unwrap(self) >> 64);
    }

    function auditWindow(Rules self) internal pure returns (uint256) {
        return uint24(Rules.unwrap(self) >> 88);
    }

    function drawStep(Rules self) internal pure returns (uint256) {
        return uint16(Rules.unwrap(self) >> 112);
    }

    function drawOpenAfter(Rules self) internal pure returns (uint256) {
        return uint24(Rules.unwrap(self) >> 128);
    }
}
