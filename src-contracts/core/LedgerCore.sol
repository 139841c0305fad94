// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Parameters} from "src-contracts/Parameters.sol";
import {LedgerFacts} from "src-contracts/interfaces/ILedger.sol";
import {Params} from "src-contracts/types/Params.sol";
import {Rules, RulesLib} from "src-contracts/types/Rules.sol";

/// @title Money
/// @notice Balances, fees and the numbers in force: storage and internal rules, free of external calls, so that they can be proven.
/// @dev TOKEN: currencies are allow-listed; none may take a fee on transfer out, rebase or call back into a third party. A fee on
/// the way in is credited as received. PULL: work only moves balances; tokens leave by `withdraw` alone. DONATION: a direct
/// transfer changes nothing, `balanceOf(this)` is only ever read as a difference. FEES: the protocol's part of a payment waits in the
/// payee's own slot until anyone collects it, which spares every payment a second write (5,000 gas).
abstract contract LedgerCore is LedgerFacts {
    /// @dev Everything that post and claim must look at: one slot.
    struct Gate {
        /// The newest version; a post may use no other.
        Rules rules;
        uint40 pausedUntil;
        /// Bit r is set when new jobs may use runtime r; bit 0, which is no runtime, when they may ask for several seats.
        uint32 runtimes;
        /// Least stake of a claiming node, in whole DPU.
        uint32 minStake;
    }

    /* STORAGE */

    /// @dev What one account has in one currency: `fees 128 | balance 128`. The balance is free to spend and to withdraw; the fees, of
    /// what the account was paid, are the protocol's.
    mapping(address currency => mapping(address account => uint256)) internal _accounts;
    mapping(address currency => bool) internal _allowed;
    mapping(uint16 version => Params) internal _params;
    Gate internal _gate;
    address internal _treasury;
    /// @dev Seconds; its bound (60 days) fits.
    uint24 internal _unbonding;
    uint32 internal _nodeCount;
    /// @dev Mints credits against receipts.
    address internal _credits;
    /// @dev Gives tiers to nodes that have proven them.
    address internal _prover;

    /* INTERNAL */

    /// @dev No sum of these can leave its half of the word: whatever comes in fits 96 bits, and 2^32 deposits of that size are out of reach.
    function _credit(address currency, address account, uint256 amount) internal {
        if (amount != 0) _accounts[currency][account] += amount;
    }

    /// @dev Pays an account, and books the protocol's fee beside it: one slot, one write.
    function _creditPaid(address currency, address account, uint256 paid, uint256 fee) internal {
        _accounts[currency][account] += (fee << 128) | paid;
    }

    function _debit(address currency, address account, uint256 amount) internal {
        uint256 word = _accounts[currency][account];
        uint256 balance = uint128(word);
        require(balance >= amount, BalanceTooLow(currency, account, balance, amount));
        unchecked {
            _accounts[currency][account] = word - amount; // checked in the line above
        }
    }

    /// @dev The gate stays in its slot: a copy in memory costs more than the two fields that a caller needs.
    function _requireRunning() internal view returns (Gate storage gate) {
        gate = _gate;
        if (block.timestamp <= gate.pausedUntil) revert PausedUntil(gate.pausedUntil);
    }

    function _addParams(Params memory params_) internal returns (uint16 version) {
        Parameters.check(params_);
        version = _gate.rules.version() + 1;
        _gate.rules = RulesLib.pack(params_, version);
        _params[version] = params_;
        emit ParamsAdded(version, params_);
    }

    function _setTreasury(address treasury_) internal {
        require(treasury_ != address(0), AddressZero());
        _treasury = treasury_;
        emit TreasurySet(treasury_);
    }
}
