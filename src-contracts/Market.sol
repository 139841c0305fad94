// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Jobs} from "src-contracts/Jobs.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {StakeSurrogate} from "src-contracts/StakeSurrogate.sol";
import {delegateAll} from "src-contracts/core/Delegation.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {StakesCore} from "src-contracts/core/StakesCore.sol";
import {IDisputes, IJuries} from "src-contracts/interfaces/ICourt.sol";
import {IExits} from "src-contracts/interfaces/IJobs.sol";
import {IPanels} from "src-contracts/interfaces/IPanels.sol";
import {IReceipts} from "src-contracts/interfaces/IReceipts.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice The code of what is not the hot path.
struct Parts {
    /// Money in and out, nodes, stakes, views, governance.
    address extension;
    /// Several seats and audits.
    address panels;
    /// Exits, receipts, and how disputes begin.
    address exits;
    /// How disputes are judged.
    address court;
}

/// @title The compute market
/// @notice Escrow, stake, claims, results and payment at one address, with the interface `IMarket`. The hot path is here (`Jobs`); every other
/// call is answered by one of four immutable parts, on this contract's storage.
/// @dev UPGRADE: none. The parts are fixed at deployment; a new version is a new contract that users move to.
contract Market is Jobs, Multicall {
    /// @notice Thrown when a part was made for another token.
    error PartMismatch(address part);

    /// @notice The parts; see `Parts`.
    address public immutable EXTENSION;
    address public immutable PANELS;
    address public immutable EXITS;
    address public immutable COURT;

    /// @param token DPU.
    /// @param parts Contracts for the same token.
    /// @param owner_ The timelock.
    /// @param treasury_ Receives collected fees and the treasury's part of slashes.
    /// @param initial The first version of the parameters.
    constructor(address token, Parts memory parts, address owner_, address treasury_, Params memory initial)
        MarketCore(token, owner_)
    {
        (EXTENSION, PANELS, EXITS, COURT) = (parts.extension, parts.panels, parts.exits, parts.court);
        _requirePart(parts.extension);
        _requirePart(parts.panels);
        _requirePart(parts.exits);
        _requirePart(parts.court);
        _surrogateImplementation = address(new StakeSurrogate(address(this), token));
        _setTreasury(treasury_);
        _addParams(initial);
        _gate.minStake = uint32(Parameters.MIN_STAKE / 1 ether);
        emit MinStakeSet(Parameters.MIN_STAKE);
        _unbonding = Parameters.UNBONDING;
        emit UnbondingSet(Parameters.UNBONDING);
        _allowed[token] = true;
        emit CurrencyAllowed(token, true);
        _gate.runtimes = 1 << 1; // wasm
        emit RuntimeAllowed(1, true);
    }

    /// @dev Delegates to the part that answers the call; returns or reverts with what it says. A selector that none knows reverts there.
    fallback() external {
        uint32 s = uint32(msg.sig); // as a number: its constants take 5 bytes of code instead of 33
        if (_isForPanels(s)) delegateAll(PANELS);
        if (_isForCourt(s)) delegateAll(COURT);
        if (_isForExits(s)) delegateAll(EXITS);
        delegateAll(EXTENSION);
    }

    function _isForPanels(uint32 s) private pure returns (bool) {
        return s == uint32(IPanels.sit.selector) || s == uint32(IPanels.commitSeat.selector)
            || s == uint32(IPanels.agree.selector) || s == uint32(IPanels.revealSeat.selector)
            || s == uint32(IPanels.audit.selector) || s == uint32(IPanels.panel.selector)
            || s == uint32(IPanels.bench.selector) || s == uint32(IPanels.seatWord.selector);
    }

    function _isForCourt(uint32 s) private pure returns (bool) {
        return s == uint32(IJuries.serve.selector) || s == uint32(IJuries.testify.selector)
            || s == uint32(IJuries.judge.selector) || s == uint32(IJuries.enforce.selector);
    }

    function _isForExits(uint32 s) private pure returns (bool) {
        return s == uint32(IExits.lapse.selector) || s == uint32(IExits.cancel.selector)
            || s == uint32(IExits.close.selector) || s == uint32(IExits.sweep.selector)
            || s == uint32(IReceipts.redeem.selector) || s == uint32(IReceipts.redeemPanel.selector)
            || s == uint32(IDisputes.challenge.selector) || s == uint32(IDisputes.appeal.selector)
            || s == uint32(IDisputes.disputeKey.selector) || s == uint32(IDisputes.testimonyOf.selector)
            || s == uint32(IDisputes.dispute.selector) || s == uint32(IDisputes.jury.selector)
            || s == uint32(IDisputes.appellant.selector) || s == uint32(IDisputes.disputeCost.selector)
            || s == uint32(IDisputes.drawnToJury.selector) || s == uint32(IDisputes.disputeTimes.selector);
    }

    function _requirePart(address part) private view {
        require(StakesCore(part).TOKEN() == TOKEN, PartMismatch(part));
    }
}
