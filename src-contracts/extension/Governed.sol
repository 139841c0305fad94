// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {IGoverned} from "src-contracts/interfaces/IMarket.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice What the owner (a timelock) and the guardian may do.
/// @dev ROLES: the owner turns numbers inside fixed bounds and opens currencies and runtimes for new jobs; it cannot touch a balance, a
/// stake, a job that exists, or an exit. The guardian may stop new posts and claims, for a bounded time with a bounded frequency,
/// until its term ends.
abstract contract Governed is MarketCore, IGoverned {
    /* GOVERNANCE */

    /// @inheritdoc IGoverned
    function addParams(Params calldata params_) external onlyOwner returns (uint16 version) {
        return _addParams(params_);
    }

    /// @inheritdoc IGoverned
    function allowCurrency(address currency, bool allowed) external onlyOwner {
        require(currency != address(0), AddressZero());
        _allowed[currency] = allowed;
        emit CurrencyAllowed(currency, allowed);
    }

    /// @inheritdoc IGoverned
    function allowRuntime(uint8 id, bool allowed) external onlyOwner {
        require(id != 0 && id <= Parameters.MAX_RUNTIME, RuntimesInvalid(id));
        uint32 bit = uint32(1) << id;
        _gate.runtimes = allowed ? _gate.runtimes | bit : _gate.runtimes & ~bit;
        emit RuntimeAllowed(id, allowed);
    }

    /// @inheritdoc IGoverned
    function allowSeats(bool allowed) external onlyOwner {
        _gate.runtimes = allowed ? _gate.runtimes | 1 : _gate.runtimes & ~uint32(1);
        emit SeatsAllowed(allowed);
    }

    /// @inheritdoc IGoverned
    function setMinStake(uint96 minStake) external onlyOwner {
        Parameters.checkMinStake(minStake);
        // forge-lint: disable-next-line(unsafe-typecast)
        _gate.minStake = uint32(minStake / 1 ether); // whole DPU, at most a million
        emit MinStakeSet(minStake);
    }

    /// @inheritdoc IGoverned
    function setUnbonding(uint32 unbonding) external onlyOwner {
        Parameters.checkUnbonding(unbonding);
        // forge-lint: disable-next-line(unsafe-typecast)
        _unbonding = uint24(unbonding); // at most 60 days
        emit UnbondingSet(unbonding);
    }

    /// @inheritdoc IGoverned
    function setTreasury(address treasury_) external onlyOwner {
        _setTreasury(treasury_);
    }

    /// @inheritdoc IGoverned
    function setCredits(address credits_) external onlyOwner {
        _credits = credits_;
        emit CreditsSet(credits_);
    }

    /// @inheritdoc IGoverned
    function setGuardian(address guardian_, uint40 until) external onlyOwner {
        uint256 latest = block.timestamp + Parameters.GUARDIAN_TERM;
        require(until <= latest, Parameters.ParameterOutOfBounds("guardianUntil", until, 0, latest));
        _guardian = guardian_;
        _guardianUntil = until;
        emit GuardianSet(guardian_, until);
    }

    /// @inheritdoc IGoverned
    function setProver(address prover_) external onlyOwner {
        _prover = prover_;
        emit ProverSet(prover_);
    }

    /// @inheritdoc IGoverned
    function setTier(uint32 id, uint8 tier, uint40 until) external {
        if (msg.sender != _prover) _checkOwner();
        Node storage n = _nodes[id];
        require(n.owner != address(0), NodeUnknown(id));
        n.tier = tier;
        n.tierUntil = until;
        emit NodeTierSet(id, tier, until);
    }

    /* GUARDIAN */

    /// @inheritdoc IGoverned
    function pause(uint32 duration) external {
        require(msg.sender == _guardian && block.timestamp <= _guardianUntil, NotGuardian(msg.sender));
        uint40 earliest = _gate.pausedUntil == 0 ? 0 : _gate.pausedUntil + Parameters.PAUSE_COOLDOWN;
        require(
            duration != 0 && duration <= Parameters.MAX_PAUSE && block.timestamp >= earliest,
            PauseNotAllowed(duration, earliest)
        );
        uint40 until = uint40(block.timestamp) + duration;
        _gate.pausedUntil = until;
        emit Paused(msg.sender, until);
    }

    /* VIEWS */

    /// @inheritdoc IGoverned
    function credits() external view returns (address) {
        return _credits;
    }

    /// @inheritdoc IGoverned
    function prover() external view returns (address) {
        return _prover;
    }

    /// @inheritdoc IGoverned
    function treasury() external view returns (address) {
        return _treasury;
    }

    /// @inheritdoc IGoverned
    function guardian() external view returns (address guardian_, uint40 until) {
        return (_guardian, _guardianUntil);
    }
}
