// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";

/// @notice Starting values and hard bounds of every number of the credits, and the constants that nobody may turn. Shares are in billionths
/// (`ONE`), credits and DPU in wei (1e18).
library CreditParameters {
    /* CONSTANTS */

    /// One, as weights, pressures and the target count it.
    uint256 internal constant ONE = 1e9;
    /// One, as rates and the offer count it.
    uint256 internal constant WAD = 1e18;
    /// A weight moves at most by an eighth of itself in an epoch, and an eighth of its distance from one comes back in each.
    uint256 internal constant STEP = 8;
    /// What an epoch's fees are summed in: millionths of a credit.
    uint256 internal constant MICRO = 1e12;
    /// A receipt counts until so long after the last second at which its job could be claimed. The longest way from there to the payment
    /// is 6.5 days.
    uint256 internal constant MINT_WITHIN = 30 days;
    /// Most of a fee in DPU that credits may give back: rate × offer. It is what makes self-dealing a loss (docs/credits.md).
    uint256 internal constant MAX_RETURN = 0.2e18;

    /* STARTING VALUES */

    uint24 internal constant EPOCH = 1 days;
    uint80 internal constant CAP = 10_000e18;
    uint32 internal constant TARGET = 0.25e9;
    uint32 internal constant LEAST = 0.5e9;
    uint32 internal constant MOST = 4e9;
    uint64 internal constant OFFER = 0.2e18;
    uint256 internal constant DPU_RATE = 1e18;
    /// wasm: a thousand units earn a hundredth of a credit.
    uint8 internal constant FIRST_RUNTIME = 1;
    uint56 internal constant FIRST_PER_UNIT = 1e13;

    /* BOUNDS */

    /// @dev `first` is the length at deployment, 0 while that is being set. Like the windows of governance, an epoch can be turned down
    /// to a quarter of its first length and no further: shorter epochs let weights run faster.
    function checkEpoch(uint256 length, uint256 first) internal pure {
        Parameters.checkGovernanceWindow("epochLength", length, first);
    }

    /// @dev It is also how heavy the target weighs in every epoch: what a push can win is bounded by the cap, so what it costs must be too.
    function checkCap(uint256 cap) internal pure {
        _within("cap", cap, 1e18, 1_000_000e18);
    }

    /// @dev Below a quarter a fee would move weights by more than credits cost (docs/credits.md); above a half a full ramp could not
    /// raise a weight by an eighth.
    function checkTarget(uint256 target) internal pure {
        _within("target", target, ONE / 4, ONE / 2);
    }

    /// @dev One is always inside: it is where every weight begins and returns to. Below a half the way back would be steeper than a step.
    function checkWeights(uint256 least, uint256 most) internal pure {
        _within("leastWeight", least, ONE / 2, ONE);
        _within("mostWeight", most, ONE, 4 * ONE);
    }

    function checkPerUnit(uint256 perUnit) internal pure {
        _within("perUnit", perUnit, 0, 0.01e18);
    }

    /// @dev Credits (wei) for 1e18 smallest units of fee. DPU at most one for one; a currency with six decimals at most one for one.
    function checkRate(uint256 rate, bool isDpu) internal pure {
        _within("rate", rate, 0, isDpu ? WAD : 1e30);
    }

    function checkOffer(uint256 offer) internal pure {
        _within("offer", offer, 0.01e18, 1e18);
    }

    /// @dev What a DPU of fee may come to in credits, at the most that a credit can cost.
    function checkReturn(uint256 dpuRate, uint256 offer) internal pure {
        _within("rate * offer", dpuRate * offer / WAD, 0, MAX_RETURN);
    }

    function _within(bytes32 name, uint256 value, uint256 least, uint256 most) private pure {
        require(value >= least && value <= most, Parameters.ParameterOutOfBounds(name, value, least, most));
    }
}
